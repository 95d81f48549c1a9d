"""What a recipe is."""

import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A fault with a name: `run` takes a Trial and leaves what it saw in the trial's outcome."""

    name: str
    did: str
    run: typing.Callable
    in_short: bool = True
