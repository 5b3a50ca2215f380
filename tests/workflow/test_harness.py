"""What the tests of the workflow stand on."""

from tests.workflow.harness import Harness


def test_nothing_goes_on_into_the_next_test(harness: Harness) -> None:
    arn = harness.start()
    harness.end()
    assert harness.has_ended(arn)
    assert harness.ended(arn).status == "ABORTED"
