"""All recipes, in the order of the report."""

from recipes import crash
from recipes import destroyed
from recipes import flips
from recipes import frozen
from recipes import full
from recipes import limits
from recipes import metadata
from recipes import syscalls
from recipes import vanished

RECIPES = [*crash.RECIPES, *destroyed.RECIPES, *metadata.RECIPES, *flips.RECIPES, *full.RECIPES, *frozen.RECIPES,
           *vanished.RECIPES, *syscalls.RECIPES, *limits.RECIPES]
