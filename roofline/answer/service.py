"""What a serving engine makes of a steady load of users."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from roofline.answer.plain import plain
from roofline.answer.times import Times
from roofline.num import Num

#: What limits a service: a code, and words for people.
LIMITS: Final = {
    "cache": "memory for the cache of more requests",
    "sequences": "the number of requests that the engine runs at once",
    "prompts": "reading prompts, which takes more than half of the time",
    "decode": "decode steps",
}


@dataclass(frozen=True)
class Service:
    """A steady load: `users`, each of whom sends the next request when the last is answered.

    `running` of their requests are at work at once, `waiting` wait for room. Seconds: `ttft_s` from the request to the
    first token, the wait for room in it; `tpot_s` per output token of a user, None where but one is generated;
    `request_s` of the whole request. Rates: `output_tokens_per_s` and `requests_per_s` of all users,
    `output_tokens_per_s_per_user` of one while it writes. `limited_by`: what gives way first, a key of LIMITS.
    `prompts_share`: the share of time in which prompts of others are read. `overhead` is what the server itself takes
    before the first token, `client_ttft_s` the first token with it; None where no such time is known.
    """

    users: Num
    running: Num
    waiting: Num
    ttft_s: Times
    tpot_s: Times | None
    request_s: Times
    output_tokens_per_s: Times
    output_tokens_per_s_per_user: Times | None
    requests_per_s: Times
    limited_by: str
    prompts_share: Num
    overhead: Times | None = None

    @property
    def client_ttft_s(self) -> Times | None:
        """Seconds to the first token as a client sees it."""
        return None if self.overhead is None else self.ttft_s + self.overhead

    @property
    def overhead_s(self) -> Num | None:
        """Seconds of the server itself before the first token, as expected."""
        return None if self.overhead is None else self.overhead.expected

    def quantities(self) -> Iterator[tuple[str, Times | None]]:
        """The times and rates by name."""
        for name in _TIMES:
            yield name, getattr(self, name)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        found = {name: plain(getattr(self, name)) for name in ("users", "running", "waiting")}
        found |= {name: times and times.to_dict() for name, times in self.quantities()}
        found |= {"limited_by": self.limited_by, "prompts_share": plain(self.prompts_share)}
        return found | {"overhead_s": None if self.overhead is None else plain(self.overhead.expected)}


_TIMES: Final = (
    *("ttft_s", "client_ttft_s", "tpot_s", "request_s"),
    *("output_tokens_per_s", "output_tokens_per_s_per_user", "requests_per_s"),
)
