"""Where encoders are kept: the bundled one with the package, a user's own in a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cmrcli.encoders.manifest import MANIFEST_NAME, EncoderManifest, load_manifest
from cmrcli.errors import EncoderError, display_path

BUNDLED_NAME = "cmr-small-4"

_PACKAGE = Path(__file__).resolve().parent.parent


def bundled() -> Path:
    """Folder of the encoder that comes with cmrcli: in the installed package, or in a checkout's `models`.

    Raises:
        EncoderError: neither is there.
    """
    places = (_PACKAGE / "_bundled" / BUNDLED_NAME, _PACKAGE.parent / "models" / BUNDLED_NAME)
    for folder in places:
        if (folder / MANIFEST_NAME).is_file():
            return folder
    looked = " and ".join(display_path(folder) for folder in places)
    raise EncoderError(f"the bundled encoder is missing (looked in {looked})", "install cmrcli again")


def data_folder() -> Path:
    """Where a user's own encoders lie, one folder each; it need not exist."""
    from platformdirs import user_data_path

    return user_data_path("cmrcli", appauthor=False) / "models"


def installed() -> list[Path]:
    """Folders with a model.toml under `data_folder`, by name."""
    try:
        folders = sorted(data_folder().iterdir())
        return [folder for folder in folders if (folder / MANIFEST_NAME).is_file()]
    except OSError:  # none installed yet, or not readable: nothing that could be offered
        return []


def resolve(encoder: str | Path | None) -> Path:
    """The folder of an encoder: None is the bundled one; else a folder or an installed name.

    Raises:
        EncoderError: nothing of that name, with what there is.
    """
    if encoder is None:
        return bundled()
    folder = Path(encoder).expanduser()
    if (folder / MANIFEST_NAME).is_file():
        return folder.resolve()
    name = os.fspath(encoder)
    if isinstance(encoder, str) and os.path.basename(name) == name:
        if name == BUNDLED_NAME:
            return bundled()
        if (data_folder() / name / MANIFEST_NAME).is_file():
            return data_folder() / name
    if folder.is_dir():
        raise EncoderError(
            f"{display_path(folder)} has no {MANIFEST_NAME}",
            "describe the encoder in one; cmrcli/encoders/MODEL_TOML.md has examples",
        )
    names = ", ".join([BUNDLED_NAME, *(display_path(one.name) for one in installed())])
    raise EncoderError(
        f"no encoder {display_path(name)}: neither a folder nor one of {names}",
        f"--encoder DIR with a folder that holds a {MANIFEST_NAME}; names are looked up in {data_folder()}",
    )


def matching(name: str, digest: str, wish: str | Path | None = None) -> EncoderManifest:
    """The encoder of that digest: the one wished for, or else the bundled or an installed one.

    Args:
        name: what it is called, for messages; encoders of one name may differ.
        digest: `EncoderManifest.digest` of the encoder that an index was made with.
        wish: what the user named (a folder or an installed name), None when nothing.

    Raises:
        EncoderError: the wished one differs, or none of those here has the digest.
    """
    if wish is not None:
        manifest = load_manifest(resolve(wish))
        if manifest.digest != digest:
            raise EncoderError(
                f"{display_path(manifest.folder)} ({manifest.name}) is not the encoder {name} of the index",
                "name the folder of the index's encoder, or make an index for this one with --index DIR",
            )
        return manifest
    for folder in (None, *installed()):
        try:
            manifest = load_manifest(resolve(folder))
        except EncoderError:  # a broken encoder beside the right one does not matter here
            continue
        if manifest.digest == digest:
            return manifest
    raise EncoderError(
        f"the index was made with the encoder {name} ({digest[:12]}), which is not here",
        f"index the folders anew into --index DIR with {BUNDLED_NAME}, which came with this version; "
        f"or --encoder DIR with the old one's folder, or put that folder under {display_path(data_folder())}",
    )


def _here() -> Iterator[EncoderManifest]:
    """Every encoder that can be read, the bundled one first; a broken one beside the right one does not matter."""
    with suppress(EncoderError):
        yield load_manifest(bundled())
    for folder in installed():
        with suppress(EncoderError):
            yield load_manifest(folder)
