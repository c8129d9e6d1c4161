"""What is kept of a forward pass: storages, each counted once however many ops keep it.

Convention: unique storages that autograd keeps between a forward and a backward pass, without parameters and token ids.
A view keeps the whole storage that it looks into.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from roofline.num import Num, first_value
from roofline.workload.op import Op


class Kept(NamedTuple):
    """What an op keeps, `count` times: elements of 16 bit, of 4 bytes and of 1 byte, and bytes.

    `estimated`: by the rule that an op keeps what it reads, as nobody has compared it with the reference code.
    """

    op: str
    block: str
    count: float  # type: ignore[assignment]  # in place of a method of tuples
    half: Num = 0.0
    wide: Num = 0.0
    byte: Num = 0.0
    fixed: Num = 0.0
    estimated: bool = False

    @property
    def each(self) -> Num:
        """Bytes of one execution."""
        return 2.0 * self.half + 4.0 * self.wide + self.byte + self.fixed

    @property
    def bytes(self) -> Num:
        """All bytes."""
        return self.count * self.each


@dataclass(slots=True)
class Storage:
    """A tensor's memory in one layer: elements of 16 bit; it grows where columns of one matrix stand side by side.

    `stream`: of the residual stream, which sequence parallelism spreads over devices; `once`: all layers share it.
    """

    half: Num = 0.0
    stream: bool = False
    once: bool = False
    kept: bool = False


@dataclass(slots=True)
class Layer:
    """What is known while one layer is gone through: in which storage each value is, and what was kept.

    `chosen` experts of each token; `moved` says in which storage a sum stands that an adapter made of another.
    """

    shares: float = 1.0
    chosen: float = 0.0
    values: dict[str, Storage] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    moved: dict[int, tuple[Storage | None, Storage]] = field(default_factory=dict)

    def value(self, names: tuple[str, ...]) -> Storage | None:
        """The storage of the first of these values that there is."""
        return next((self.values[name] for name in names if name in self.values), None)

    def make(self, name: str, half: Num, *, stream: bool = False) -> Storage:
        """A new storage for a value."""
        self.values[name] = found = Storage(half, stream)
        return found

    def keep(self, op: Op, storage: Storage | None, half: Num) -> None:
        """A storage, of so many elements where that is not known, unless it is kept already."""
        storage = Storage(half) if storage is None else storage
        if not storage.kept:
            own = op._replace(count=1.0) if storage.once else op
            self.own(own, half=storage.half if first_value(storage.half) else half, stream=storage.stream)
            storage.kept = True

    def own(
        self, op: Op, *, half: Num = 0.0, wide: Num = 0.0, byte: Num = 0.0, fixed: Num = 0.0, stream: bool = False
    ) -> None:
        """What no other op keeps."""
        parts = self.shares if stream else 1.0
        self.kept.append(Kept(op.name, op.block, op.count, half / parts, wide / parts, byte / parts, fixed))

    def guess(self, op: Op) -> None:
        """What an op reads, where nobody has compared what it keeps with the reference code."""
        half, wide = op.read + op.cache_read, op.read_fp32
        self.kept.append(Kept(op.name, op.block, op.count, half, wide, estimated=True))
