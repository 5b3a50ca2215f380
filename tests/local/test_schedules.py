"""What the template wants done now and then."""

from tests.local.running import RunningStack, eventually


def test_a_function_is_called_at_its_rate(stack: RunningStack) -> None:
    """After the other tests of this folder, whose stack has been up for its minute."""
    log = stack.folder / "logs" / f"{stack.outputs['FunctionName']}.log"
    assert eventually(lambda: log.exists() and "the minute is over" in log.read_text())
