"""`mmcourse data list` and `mmcourse data fetch NAME`."""

import argparse
import sys

from mmcourse.data.downloads import Collection, fetch, keep
from mmcourse.data.free_spoken_digits import FREE_SPOKEN_DIGITS
from mmcourse.errors import DownloadError

COLLECTIONS = {collection.name: collection for collection in (FREE_SPOKEN_DIGITS,)}


def run(options: argparse.Namespace) -> int:
    """Do what the parsed command line asks; returns 0, 1 where a collection does not come, 2 for an unknown name."""
    if options.action == "list":
        print("\n".join(line for collection in COLLECTIONS.values() for line in description(collection)))
        return 0
    collection = COLLECTIONS.get(options.name)
    if collection is None:
        print(f"mmcourse: got {options.name!r}, wanted one of {', '.join(COLLECTIONS)}", file=sys.stderr)
        return 2
    try:
        came = fetch(collection, jobs=options.jobs) if options.place is None else keep(collection, options.place)
    except DownloadError as error:
        print(f"mmcourse: {error}", file=sys.stderr)
        return 1
    print(f"{came:,} files came; {collection.name} is whole in {collection.folder}")
    return 0


def description(collection: Collection) -> list[str]:
    """What `mmcourse data list` says of a collection."""
    if collection.local is not None:
        state = f"{collection.local}, named by {collection.variable}"
    else:
        whole = len(collection.checksums)
        state = f"{whole - len(collection.missing):,} of {whole:,} files are in {collection.folder}"
    return [
        f"{collection.name}: {collection.title}",
        f"  {collection.licence}, {collection.megabytes:g} MB, {collection.page}",
        f"  {state}",
    ]
