"""What a recipe came to, and the table of all of them."""

import collections
import dataclasses
import datetime
import pathlib

DAMAGE = ("lost", "torn", "resurrected")


@dataclasses.dataclass
class Outcome:
    """The row of one recipe."""

    name: str
    did: str
    seed: int
    not_run: str = ""  # why not
    acknowledged: int = 0
    errors_first: int = 0  # of first attempts
    errors_second: int = 0  # after one retry: what a client with one retry sees
    errors: str = ""
    lost: int = 0
    torn: int = 0
    resurrected: int = 0
    wrong_bytes: int = 0
    census_before: str = ""
    census_after: str = ""
    repaired_seconds: float | None = None
    seconds: float = 0.0
    figures: list = dataclasses.field(default_factory=list)
    faults: list = dataclasses.field(default_factory=list)
    check: dict = dataclasses.field(default_factory=dict)
    log: str = ""
    run: dict = dataclasses.field(default_factory=dict)  # date, commit, build, file system

    def fail(self, text):
        """Notes a violation."""
        self.faults.append(text)

    def figure(self, text):
        """Notes a number."""
        self.figures.append(text)

    def at_most(self, what, value, bound, unit=""):
        """A figure with a bound."""
        if value is None:
            self.fail(f"{what}: no samples")
            return
        self.figure(f"{what} {value:.2f}{unit} (at most {bound:.2f}{unit})")
        if value > bound:
            self.fail(f"{what}: {value:.2f}{unit}, more than {bound:.2f}{unit}")

    def at_least(self, what, value, bound, unit=""):
        """A figure with a bound."""
        self.figure(f"{what} {value:.2f}{unit} (at least {bound:.2f}{unit})")
        if value < bound:
            self.fail(f"{what}: {value:.2f}{unit}, less than {bound:.2f}{unit}")

    def take(self, load):
        """Adds what a load saw."""
        self.acknowledged += load.ledger.acknowledged
        self.errors_first += sum(load.errors_first.values())
        self.errors_second += sum(load.errors_second.values())
        both = collections.Counter(load.errors_first) + collections.Counter(load.errors_second)
        self.errors = ", ".join(f"{number} {kind}" for kind, number in both.most_common(4))
        counts = load.faults
        self.lost += counts["lost"] + counts["stale"] + counts["unreadable"]
        self.torn += counts["torn"]
        self.resurrected += counts["resurrected"]
        self.wrong_bytes += counts["wrong bytes"] + counts["torn"] + counts["foreign"]
        self.faults += load.reports[:20]
        load.ledger.acknowledged = 0
        for counter in (load.faults, load.errors_first, load.errors_second):
            counter.clear()
        load.reports.clear()

    def expect_no_errors(self):
        """A client with one retry must have seen nothing."""
        if self.errors_second:
            self.fail(f"{self.errors_second} requests failed after one retry ({self.errors})")

    @property
    def passed(self):
        return not self.faults and not self.not_run

    @property
    def verdict(self):
        return "not run" if self.not_run else "passed" if not self.faults else "**failed**"

    def line(self):
        """One line for the terminal."""
        if self.not_run:
            return f"skipped {self.name}: {self.not_run}"
        repaired = f", repaired in {self.repaired_seconds:.1f} s" if self.repaired_seconds is not None else ""
        return (f"{'ok' if self.passed else 'FAILED'}  {self.name}: {self.acknowledged} acknowledged, errors "
                f"{self.errors_first}/{self.errors_second}, lost/torn/resurrected "
                f"{self.lost}/{self.torn}/{self.resurrected}, wrong bytes {self.wrong_bytes}{repaired}, "
                f"{self.seconds:.1f} s; {'; '.join(self.figures)}")


def cell(text):
    """Text that cannot break a table."""
    return " ".join(str(text).replace("|", "/").split()) or "–"


def row(outcome, run):
    """A row of the table."""
    if outcome.not_run:
        return f"| {outcome.name} | {cell(outcome.did)} | | | | | | | | not run: {cell(outcome.not_run)} | {run} |"
    repaired = "–" if outcome.repaired_seconds is None else f"{outcome.repaired_seconds:.1f} s"
    census = f"{cell(outcome.census_before)} → {cell(outcome.census_after)}" if outcome.census_after else "–"
    errors = f"{outcome.errors_first} / {outcome.errors_second}"
    if outcome.errors:
        errors += f" ({cell(outcome.errors)})"
    verdict = outcome.verdict + (f": {cell('; '.join(outcome.faults[:3]))[:400]}" if outcome.faults else "")
    return (f"| {outcome.name} | {cell(outcome.did)} | {outcome.acknowledged} | {errors} | "
            f"{outcome.lost} / {outcome.torn} / {outcome.resurrected} | {outcome.wrong_bytes} | {census} | {repaired} | "
            f"{cell('; '.join(outcome.figures))} | {verdict} | {run} |")


def write_report(path, outcomes):
    """docs/torture.md."""
    runs = []
    for outcome in outcomes:
        if outcome.run not in runs:
            runs.append(outcome.run)
    lines = [
        "# Torture", "",
        "Made by `make drill`; do not edit. Each recipe breaks a running server under load and ends with a census: every",
        "byte of every copy on every volume is read, and compared with the ledger of what was acknowledged.", "",
        f"{sum(o.passed for o in outcomes)} passed, {sum(bool(o.faults) for o in outcomes)} failed, "
        f"{sum(bool(o.not_run) for o in outcomes)} not run.", "",
        "| run | date | commit | build | machine | form | seed |", "|---|---|---|---|---|---|---|"]
    for number, run in enumerate(runs):
        lines.append(f"| {chr(97 + number % 26)} | {run['date']} | {run['commit']} | {run['build']} | {run['machine']} | "
                     f"{run['form']} | {run['seed']} |")
    lines += ["", "- *form*: what `make drill` runs (full), or the short form of `make test`: the same fault, in seconds.",
              "- *errors*: requests that failed at the first attempt / also after one retry, which is what a client with",
              "  one retry sees.",
              "- *lost / torn / resurrected*: of what was acknowledged, by reading everything afterwards.",
              "- *wrong bytes*: bodies that were served and are not what was written, at any time.",
              "- *census*: live blobs by good copies; part files on each volume. It ends with `holdall check --deep`.",
              "- *repaired*: from the end of the fault until every live blob has all its copies.", "",
              "| recipe | what was done | acknowledged | errors, first / after a retry | lost / torn / resurrected | "
              "wrong bytes | census before → after | repaired | figures | verdict | run |",
              "|---|---|---|---|---|---|---|---|---|---|---|"]
    lines += [row(outcome, chr(97 + runs.index(outcome.run) % 26)) for outcome in outcomes]
    pathlib.Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def today():
    """The date, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
