"""Where the stack listens and keeps its state, and the environment that its parts are given.

What holds where nobody says otherwise (the port, the folder, the idle time) stands in
``gen3d_local/cli.py``, beside the environment variables that change it.
"""

import os
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "123456789012"
REGION = "us-east-1"
STACK = "gen3d"
ROOT = Path(__file__).resolve().parents[3]

_AWS_CONFIG = """[default]
region = {region}
# The services share one host name, so the bucket belongs into the path.
s3 =
    addressing_style = path
"""


class LocalError(Exception):
    """Something that the person at the terminal can mend; the message says how."""


@dataclass(frozen=True)
class Settings:
    """One stack.

    Parameters
    ----------
    port : int
        The only port that is opened to clients, on 127.0.0.1.
    folder : pathlib.Path
        State, logs and scratch files. Two stacks never share one.
    template : pathlib.Path
        What is deployed; code paths in it are relative to its folder.
    idle_seconds : float
        The inference server ends after so long without work, as an endpoint scales to zero.
    wake_seconds : float
        So long it takes to start again, as an endpoint waits for an instance.
    python_path : str
        Folders, with colons between, in which the endpoint's Python looks for what its image does
        not hold, such as an engine that somebody is writing.
    """

    port: int
    folder: Path
    template: Path = ROOT / "template.yaml"
    idle_seconds: float = 600
    wake_seconds: float = 0
    python_path: str = ""

    @property
    def url(self) -> str:
        """The address of everything, as a browser on this machine says it."""
        return f"http://localhost:{self.port}"

    @property
    def logs(self) -> Path:
        """One file a part."""
        return self.folder / "logs"

    @property
    def scratch(self) -> Path:
        """Temporary files; emptied at each start."""
        return self.folder / "tmp"

    @property
    def aws_config(self) -> Path:
        """The configuration file of every AWS SDK in and under this process."""
        return self.folder / "aws.ini"

    def export(self) -> None:
        """Prepare the folder and this process's environment.

        ministack and moto read theirs when they are imported, so this comes before.
        """
        for folder in (self.logs, self.scratch):
            folder.mkdir(parents=True, exist_ok=True)
        self.aws_config.write_text(_AWS_CONFIG.format(region=REGION))
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(self.client_environment() | self.credentials())
        os.environ.update(
            AUTH="true",
            BIND_HOST="127.0.0.1",
            GATEWAY_PORT=str(self.port),
            MINISTACK_ACCOUNT_ID=ACCOUNT,
            MOTO_ACCOUNT_ID=ACCOUNT,
            MINISTACK_REGION=REGION,
            PERSIST_STATE="1",
            STATE_DIR=str(self.folder / "state"),
            S3_PERSIST="1",
            S3_DATA_DIR=str(self.folder / "s3"),
            TMPDIR=str(self.scratch),
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
        )

    @staticmethod
    def credentials() -> dict[str, str]:
        """The account's root, who is the developer: nobody else reaches 127.0.0.1."""
        return {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

    def client_environment(self) -> dict[str, str]:
        """What points an AWS SDK at this stack; credentials come on top."""
        return {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CONFIG_FILE": str(self.aws_config),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }
