"""The command line."""

import sys, time, threading, json
from pathlib import Path
from local.settings import ROOT, LocalError, Settings
from local.stack import Stack

def main() -> int:
    settings = Settings(port=int(sys.argv[2]), folder=Path(sys.argv[1]), template=Path("/tmp/gen3d/pig/template.yaml"))
    stack = Stack(settings)
    try:
        t=time.time(); stack.start(); print("start", time.time()-t, flush=True)
        t=time.time(); o=stack.deploy({"SenderEmail":"gen3d@example.com","Engine":"lite","AllowSelfSignUp":"true","ContainerImage":"local/container:latest","WebOrigins":f"http://localhost:{sys.argv[2]}"}); print("deploy", time.time()-t, json.dumps(o,indent=1), flush=True)
        if len(sys.argv)>3: threading.Event().wait(float(sys.argv[3]))
    except LocalError as e:
        print("error:", e); return 1
    finally:
        stack.stop()
    return 0
