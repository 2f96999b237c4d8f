"""The table at the end of a drill: every promise, how often it was broken, and what happened meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from drill import witness
from drill.plan import ANYWHERE, POINTS, Plan
from drill.witness import Evidence

MOST_EXAMPLES = 5
PROMISES: dict[str, Callable[[Evidence], list[str]]] = {
    "double dials": witness.find_double_dials,
    "dials that the database does not know": witness.find_unknown_dials,
    "lost contacts": witness.find_lost_contacts,
    "moments over the cap": witness.find_cap_overruns,
    "wrong final status, outcome or cost": witness.find_wrong_results,
    "unresolved webhooks": witness.find_unresolved_bodies,
    "illegal event chains": witness.find_illegal_chains,
    "counters that differ from a recount": lambda seen: [str(row) for row in seen.drifted],
    "incidents raised": witness.find_incidents,
    "campaign not completed": lambda seen: [] if seen.campaign["status"] == "COMPLETED" else [seen.campaign["status"]],
}


@dataclass(frozen=True, kw_only=True)
class Happened:
    """What the conductor brought about."""

    killed: Mapping[str, int]
    broke: Sequence[str]  # processes that ended although nobody killed them
    crashes: int
    outages: int
    frozen: int
    seconds: float
    webhooks: Mapping[str, int]
    answers: Mapping[str, int]
    machine: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of a drill."""

    plan: Plan
    broken: Mapping[str, Sequence[str]]
    missed: Sequence[str]  # points of the plan at which nobody died
    unsure: Sequence[str]
    dials: int
    contacts: int
    happened: Happened

    @property
    def is_good(self) -> bool:
        """Whether every promise held and everything planned did happen."""
        return not any(self.broken.values()) and not self.missed

    def lines(self) -> list[str]:
        """Return the table as text."""
        happened = self.happened
        kills = ", ".join(f"{point} {happened.killed.get(point, 0)}" for point in (*POINTS, ANYWHERE))
        hidden = {name: count for name, count in happened.answers.items() if name != "accepted"}
        rows = [
            f"seed {self.plan.seed}: {self.contacts} contacts, {self.dials} dials, {happened.seconds:.0f} s",
            f"  killed {sum(happened.killed.values())} processes: {kills}",
            (
                f"  PostgreSQL crashed {happened.crashes} times, the provider was down {happened.outages} times, "
                f"processes stood still {happened.frozen} times"
            ),
            f"  accepted calls whose answer was hidden: {_listed(hidden)}",
            f"  webhooks: {_listed(happened.webhooks)}",
            "",
        ]
        for promise, cases in self.broken.items():
            rows += [f"  {promise:42} {len(cases):>5}", *(f"      {case}" for case in cases[:MOST_EXAMPLES])]
        rows.append(f"  {'(apart) contacts set aside as unsure':42} {len(self.unsure):>5}")
        rows += [f"      {case}" for case in self.unsure[:MOST_EXAMPLES]]
        rows += [f"  nobody died {POINTS[point]}" for point in self.missed]
        rows.append(f"  {happened.machine}")
        return rows


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def judge(plan: Plan, seen: Evidence, happened: Happened) -> Verdict:
    """Hold what was seen against every promise."""
    planned = {doom.point for doom in plan.dooms()}
    return Verdict(
        plan=plan,
        broken={promise: find(seen) for promise, find in PROMISES.items()}
        | {"processes that broke by themselves": happened.broke},
        missed=[point for point in POINTS if point in planned and not happened.killed.get(point)],
        unsure=witness.find_unsure(seen),
        dials=len(seen.dials),
        contacts=len(seen.contacts),
        happened=happened,
    )
