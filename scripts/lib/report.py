"""Sums up a run of scripts/test: the skips by reason, a table of the stages, and one closing line.

usage: report.py RESULTS SKIPS

RESULTS holds `stages` (name, seconds, status) and STAGE.*.xml, ctest's JUnit output of that stage.
SKIPS holds root.txt, user.txt and ci.txt, the expected skips of each environment: `STAGE TEST REASON` a line, where stage
and test (ctest's name) may be globs, and so may the reason. A skip that none of them expects is a failure, and so is one
that gives no reason. Exits 1 then, or when a test or stage has failed.
"""
import fnmatch
import os
import re
import sys
import xml.etree.ElementTree as xml
from collections import Counter, namedtuple
from pathlib import Path

Skip = namedtuple("Skip", "stage test reason")
NO_REASON = "(no reason given)"

# How the runners say (passed, failed, skipped): cmocka in a sum for each group, Python's unittest -v and go test -v in one
# line for each test.
CASES = [
    [re.compile(r"^\[  %s \] (\d+) test\(s\)" % word, re.M) for word in ("PASSED ", "FAILED ", "SKIPPED")],
    [re.compile(r"\.\.\. %s" % word, re.M) for word in ("ok$", "(?:FAIL|ERROR)$", "skipped ")],
    [re.compile(r"^\s*--- %s: " % word, re.M) for word in ("PASS", "FAIL", "SKIP")],
]
# Every runner's tests say why they skip in this form; unittest repeats it in quotes.
REASON = re.compile(r"""(?:^|skipped ['"])SKIP: (.+?)['"]?\s*$""", re.M)


def count(text, state):
    """(passed, failed, skipped) of one ctest test: what its runner counted, or itself where it counts nothing."""
    for patterns in CASES:
        counts = [sum(int(found) if found.isdigit() else 1 for found in pattern.findall(text)) for pattern in patterns]
        if any(counts):
            if state == "failed" and not counts[1]:
                counts[1] = 1  # it crashed, timed out, or its program said no in another way
            return counts
    return [int(state == wanted) for wanted in ("passed", "failed", "skipped")]


def read_suite(path, stage):
    """The counts and skips of one JUnit file."""
    total, skips = Counter(), []
    for case in xml.parse(path).getroot().iter("testcase"):
        text = "".join(out.text or "" for out in case.iter("system-out"))
        state = {"run": "passed", "fail": "failed"}.get(case.get("status"), "skipped")
        passed, failed, skipped = count(text, state)
        reasons = REASON.findall(text)
        if state == "skipped" and not reasons:
            marked = case.find("skipped")
            reasons = [marked.get("message")] if marked is not None and marked.get("message") else []
        reasons += [NO_REASON] * (skipped - len(reasons))
        total.update(passed=passed, failed=failed, skipped=len(reasons))
        skips += [Skip(stage, case.get("name"), reason) for reason in reasons]
    return total, skips


def read_expected(directory, names):
    expected = []
    for name in names:
        for line in (directory / name).read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                stage, test, reason = line.split(None, 2)
                expected.append(Skip(stage, test, reason.strip()))
    return expected


def is_expected(skip, expected):
    return skip.reason != NO_REASON and any(
        all(fnmatch.fnmatchcase(have, want) for have, want in zip(skip, line)) for line in expected)


def environment_files(stage):
    """Root's list, or an ordinary user's; CI's in addition."""
    ordinary = stage == "user" or os.getuid() != 0
    return ["user.txt" if ordinary else "root.txt"] + (["ci.txt"] if os.environ.get("CI") else [])


def print_skips(skips):
    print("==> skips, by reason")
    by_reason = {}
    for skip in skips:
        by_reason.setdefault(skip.reason, []).append(f"{skip.stage}/{skip.test}")
    for reason, where in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        print(f"{len(where):5}  {reason}  [{', '.join(sorted(set(where)))}]")
    if not skips:
        print("    none")


def main():
    results, directory = Path(sys.argv[1]), Path(sys.argv[2])
    rows, total, all_skips, unexpected, bad = [], Counter(), [], [], 0
    for line in (results / "stages").read_text().splitlines():
        stage, seconds, status = line.split("\t")
        counts = Counter()
        for path in sorted(results.glob(f"{stage}.*.xml")):
            more, skips = read_suite(path, stage)
            counts.update(more)
            all_skips += skips
            expected = read_expected(directory, environment_files(stage))
            unexpected += [skip for skip in skips if not is_expected(skip, expected)]
        total.update(counts)
        bad += status != "0"
        if status != "0" and not counts["failed"]:
            total.update(failed=1)  # no test failed but the stage did: that counts as one
        rows.append((stage, seconds, "ok" if status == "0" else "FAILED", counts))
    print_skips(all_skips)
    for skip in sorted(set(unexpected)):
        print(f"unexpected skip (see tests/skips): {skip.stage} {skip.test} {skip.reason}")
    print(f"==> {'stage':10} {'seconds':>8} {'result':>8} {'passed':>8} {'failed':>8} {'skipped':>8}")
    for stage, seconds, result, counts in rows:
        print(f"    {stage:10} {seconds:>8} {result:>8}"
              + "".join(f" {counts[key]:8}" for key in ("passed", "failed", "skipped")))
    failed = total["failed"] + len(set(unexpected))
    print(f"{total['passed']} passed, {failed} failed, {total['skipped']} skipped")
    return 1 if failed or bad else 0


if __name__ == "__main__":
    sys.exit(main())
