"""What all specs share: strict frozen models, quantities with units, sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from roofline.errors import did_you_mean
from roofline.specs.formats.dtypes import ALIASES, DTYPES, made_by_rule
from roofline.units import UNITS, parse_quantity

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"


def _quantity(dimension: str, *, zero: bool = False) -> tuple[BeforeValidator, WithJsonSchema]:
    """A quantity with its unit; `zero` where none of it means something."""

    def parse(value: Any) -> float:
        try:
            found = parse_quantity(value, dimension)
            if not found and not zero:
                raise ValueError(f"{value!r} must be more than nothing; leave out what is not known")
        except ValueError as error:
            raise PydanticCustomError("quantity", "{reason}", {"reason": str(error)}) from None
        return found

    units = "|".join(unit.replace("/", "\\/") for unit in UNITS[dimension])
    schema = {"type": "string", "pattern": rf"^[0-9.eE+-]+ ?({units})$", "description": f"a quantity in {dimension}"}
    return BeforeValidator(parse), WithJsonSchema(schema)


Bytes = Annotated[float, *_quantity("bytes")]
#: Also none at all.
NoBytes = Annotated[float, *_quantity("bytes", zero=True)]
Bandwidth = Annotated[float, *_quantity("bandwidth")]
Compute = Annotated[float, *_quantity("compute")]
Frequency = Annotated[float, *_quantity("frequency")]
Power = Annotated[float, *_quantity("power")]
Price = Annotated[float, *_quantity("price", zero=True)]
Time = Annotated[float, *_quantity("time", zero=True)]

#: Sizes are bounded so that no product of a few of them leaves the range of a float; what all of them make together is
#: checked where it is counted.
LARGEST: Final = 10**9
Size = Annotated[int, Field(ge=1, le=LARGEST)]
#: Layers are gone through one by one.
MOST_LAYERS: Final = 10_000
Layers = Annotated[int, Field(ge=1, le=MOST_LAYERS)]
#: A part of a whole that is divided by: not so small that what comes out has no size.
Share = Annotated[float, Field(ge=1e-3, le=1)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=100)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class Spec(BaseModel):
    """Base of every spec: frozen, strict, and an unknown key is refused with the nearest known one."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    hint = did_you_mean(str(key), cls.model_fields) or f"Known: {', '.join(cls.model_fields)}."
                    raise PydanticCustomError("unknown_key", "unknown key {key}", {"key": str(key), "hint": hint})
        return data

    def _said(self) -> dict[str, Any]:
        """What the file says: the fields that it gives."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        yield from self._said().items()

    def __repr__(self) -> str:
        name, title = getattr(self, "name", None), getattr(self, "title", None)
        if name is None or title is None:
            return super().__repr__()
        return f"<{type(self).__name__} {name}: {title}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return as_html(self)


def as_html(value: Any) -> str:
    """A spec as a table of what its file says, with tables inside for its parts; any other value as text."""
    from html import escape

    if isinstance(value, Spec):
        rows = "".join(
            f'<tr><th style="text-align:left;vertical-align:top">{escape(name)}</th>'
            f'<td style="text-align:left">{as_html(member)}</td></tr>'
            for name, member in value._said().items()
        )
        return f"<table>{rows}</table>"
    if isinstance(value, tuple):
        return "<br>".join(as_html(member) for member in value)
    if isinstance(value, dict):
        return "<br>".join(f"{escape(str(key))}: {as_html(member)}" for key, member in value.items())
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return escape(text)


#: A list in the file, a tuple in the spec, so that a spec can be hashed and shared.
def _to_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


AsTuple: Final = BeforeValidator(_to_tuple)
Texts = Annotated[tuple[Text, ...], AsTuple]
Names = Annotated[tuple[Annotated[str, StringConstraints(max_length=200)], ...], AsTuple]


class Published(Spec):
    """A number that somebody published about this model: the spec's own test.

    `quantity` names a number that the calculator gives, `value` is the published one, `tolerance` how far (relative)
    the published figure is rounded.
    """

    quantity: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]
    value: int | float
    tolerance: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    source: Text
    note: Text | None = None


def known_dtype(name: str) -> str:
    """The name of a number format, if there is one of that name or alias."""
    if name not in DTYPES and name not in ALIASES and not made_by_rule(name.lower()):
        hint = did_you_mean(name, [*DTYPES, *ALIASES])
        raise PydanticCustomError("dtype", "unknown dtype {dtype}", {"dtype": repr(name), "hint": hint})
    return name
