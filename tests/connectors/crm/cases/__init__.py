"""What each vendor answers: one file a vendor. A connector without one fails the suite."""

import pkgutil
from importlib import import_module

from ..case import Case

CASES: dict[str, Case] = {
    module.name: import_module(f"{__name__}.{module.name}").CASE for module in pkgutil.iter_modules(__path__)
}
