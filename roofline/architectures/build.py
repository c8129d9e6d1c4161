"""Any model spec and a run to a workload."""

from __future__ import annotations

from roofline.architectures.text.transformer import transformer_workload
from roofline.errors import UnsupportedError
from roofline.specs.base import Spec
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.run import TextRun
from roofline.workload.workload import Workload


def build_workload(spec: Spec, run: TextRun) -> Workload:
    """The phases of a model for a run, those of its towers first, one kernel per operation.

    Raises UnsupportedError for an unknown family.
    """
    if isinstance(spec, TransformerSpec):
        workload = transformer_workload(spec, run)
        if run.layout is not None:
            from roofline.workload.allocation import allocated

            workload = allocated(workload, run.layout)
        if run.media is None:
            return workload
        from roofline.architectures.towers.phase import tower_phases

        return Workload((*tower_phases(spec.towers, run.media, run.batch), *workload.phases))
    raise UnsupportedError(f"no architecture for {type(spec).__name__}")
