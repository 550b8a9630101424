"""On which node an actor begins: where fewest of its kind are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from heartline.nodes.ray_cluster import Actor, Node

STATE_LABEL, STATE = "heartline-state", "yes"  # where a node has it, others hold no state


class Places:
    """Ray's options for one actor after the other; once its node is gone, Ray begins it elsewhere."""

    def __init__(self, nodes: Sequence[Node], cpus: float, beside: Iterable[Actor]) -> None:
        able = [node for node in nodes if node.cpus >= cpus and not node.draining]
        labelled = [node for node in able if node.labels.get(STATE_LABEL) == STATE]
        self._nodes, self._cpus = labelled or able, cpus
        self._selector = {STATE_LABEL: STATE} if labelled else {}
        self._held = Counter(actor.node_id for actor in beside)

    def next(self) -> dict[str, Any]:
        """Tell where the next one shall be."""
        placed: dict[str, Any] = {"num_cpus": self._cpus}
        if self._selector:
            # Ray has no preference for a node among those of a label.
            return placed | {"label_selector": self._selector, "scheduling_strategy": "SPREAD"}
        if self._nodes:
            emptiest = min(self._nodes, key=lambda node: self._held[node.node_id])
            self._held[emptiest.node_id] += 1
            placed["scheduling_strategy"] = NodeAffinitySchedulingStrategy(emptiest.node_id, True)
        return placed
