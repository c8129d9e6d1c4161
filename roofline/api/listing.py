"""What there is, by name; in a notebook with what `roofline list` tells of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from roofline.analysis.catalogue import names
from roofline.answer.rows import Row
from roofline.api.objects.rows import Frames


class Names(Frames, list[str]):
    """Names of what there is; `records()`, `to_pandas()`, `to_polars()` and a notebook tell more of each."""

    what: str
    rows: Callable[[], Iterable[Any]]

    @classmethod
    def of(cls, found: Iterable[str], what: str, rows: Callable[[], Iterable[Any]]) -> Names:
        """These names; `rows` gives what is told of each."""
        made = cls(found)
        made.what, made.rows = what, rows
        return made

    def _listed(self) -> Sequence[Any]:
        wanted = set(self)
        return [row for row in self.rows() if row.name in wanted]

    def records(self) -> list[Row]:
        """A row for each, as `roofline list --json` has it."""
        return [Row(row._asdict()) for row in self._listed()]

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import listing_html

        return listing_html(self.what, self._listed())


def list_models(spec_dir: str | None = None) -> Names:
    """Names of all models, as `roofline list models` prints them."""
    from roofline.analysis.catalogue import shelves

    return Names.of(names.list_models(spec_dir), "models", partial(shelves.model_rows, spec_dir))


def list_gpus(spec_dir: str | None = None) -> Names:
    """Names of all accelerators, as `roofline list gpus` prints them."""
    from roofline.analysis.catalogue import shelves

    return Names.of(names.list_gpus(spec_dir), "gpus", partial(shelves.gpu_rows, spec_dir))


def list_engines() -> Names:
    """Names of all engines, as `roofline list engines` prints them."""
    from roofline.analysis.catalogue import shelves

    return Names.of(names.list_engines(), "engines", shelves.engine_rows)


def list_precisions() -> Names:
    """Names of all number formats, as `roofline list precisions` prints them."""
    from roofline.analysis.catalogue import shelves

    return Names.of(names.list_precisions(), "precisions", shelves.precision_rows)
