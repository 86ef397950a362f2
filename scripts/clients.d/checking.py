"""What the Python programs share: one line a check, and the end at the first difference."""

import sys
import time
import traceback


def run(client, checks):
    """Runs pairs of a sentence and what checks it, in their order."""
    for sentence, check in checks:
        try:
            check()
        except Exception:
            print(f"FAILED  {client}: {sentence}", flush=True)
            traceback.print_exc()
            sys.exit(1)
        print(f"ok  {client}: {sentence}", flush=True)


def eventually(what, ask):
    """Asks until there is an answer, for half a minute."""
    for _ in range(150):
        if (answer := ask()) is not None:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"never happened: {what}")


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def contains(whole, part):
    """What `part` has is in `whole`, at any depth of objects."""
    if not isinstance(part, dict):
        return equal(whole, part)
    for key, value in part.items():
        assert isinstance(whole, dict) and key in whole, f"{key!r} is not in {whole!r}"
        contains(whole[key], value)
