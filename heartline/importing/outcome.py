"""What came of an import, as far as it got."""

from collections import Counter
from dataclasses import dataclass, field

from domain.catalogue import EntityKind
from heartline.importing.rows import Fault
from heartline.terminal import note

MOST_TOLD = 1_000


@dataclass(slots=True)
class Outcome:
    """Counts: *changed* and *unchanged* are of entities, *rejected* of rows by what is wrong."""

    rows: int = 0
    changed: Counter[EntityKind] = field(default_factory=Counter)
    unchanged: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def refuse(self, fault: Fault) -> None:
        """Count a fault, and tell it, unless there were very many."""
        self.rejected[fault.summary] += 1
        told = self.rejected.total()
        if told <= MOST_TOLD:
            note(str(fault))
        if told == MOST_TOLD:
            note("others that are refused are only counted from here on")

    @property
    def is_in_vain(self) -> bool:
        """Whether there were rows, and every one was refused."""
        return bool(self.rejected) and not self.unchanged and not self.changed

    def document(self) -> dict[str, object]:
        """Tell it to machines."""
        return {
            "rows": self.rows,
            **{f"{kind}s": self.changed[kind] for kind in EntityKind},
            "unchanged": self.unchanged,
            "rejected": dict(sorted(self.rejected.items())),
        }

    def sentence(self) -> str:
        """Tell it to people."""
        counts = (
            f"{self.changed[kind]} {kind}{'' if self.changed[kind] == 1 else 's'}"
            for kind in EntityKind
        )
        said = f"{', '.join(counts)} new or changed, {self.unchanged} as before"
        return f"{said}, {self.rejected.total()} refused."
