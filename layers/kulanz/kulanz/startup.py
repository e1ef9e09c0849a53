"""How a function starts: it looks for no garbage until all is imported, as nothing of that is garbage.

Each handler imports this before anything else. The collector's looks at what was just imported are about a tenth of
the processor time until a function has its modules.
"""

import gc

gc.disable()


def all_imported() -> None:
    """Look for garbage again from here on, and never among what is there by now: a function keeps it until its end."""
    gc.freeze()
    gc.enable()
