"""cmrcli: finds drawings, PDF pages and photos in ordinary folders by meaning.

The Python side of the command line:

>>> import cmrcli                                            # doctest: +SKIP
>>> with cmrcli.open_index() as index:
...     for result in index.search("hex flange bolt", k=5):
...         print(result.rank, result.path, result.page, result.score)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Example", "Filter", "Index", "Query", "Result", "__version__", "open_index"]

if TYPE_CHECKING:
    from cmrcli.searching import Example, Index, Query, Result, open_index
    from cmrcli.store import Filter


def __getattr__(name: str) -> Any:
    # Importing numpy here would cost `cmrcli --help` a tenth of a second.
    if name == "Filter":
        from cmrcli.store import Filter

        return Filter
    if name in __all__:
        import cmrcli.searching

        return getattr(cmrcli.searching, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
