"""`python -m screenshots`: every page, light and dark, wide and narrow, from a simulated month of work."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from autolynx.cli.demo import fresh_folder
from autolynx.cli.listening import listen
from autolynx.cli.signing_in import sign_in_link
from autolynx.cli.simulator import Play
from autolynx.cli.stage import Stage, open_stage
from autolynx.log import configure_logging
from autolynx.settings import load_settings
from screenshots.camera import SIZES, Camera, Look, opened_browser
from screenshots.pages import README, SHOTS, Shot
from screenshots.story import LINES, SPEED, Teller
from tests.support.signed_in import a_person
from tools.chromium import MISSING, find_chromium

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
PICTURES = ROOT / "build" / "screenshots"


def main() -> int:
    """Take what is asked for; returns the exit code."""
    options = _parser().parse_args()
    program = find_chromium()
    if program is None:
        print(MISSING)
        return 1
    configure_logging("error", as_json=False)
    shots = [shot for shot in SHOTS if not options.only or shot.name in options.only]
    asyncio.run(_take(program, shots, options.into, is_for_readme=options.readme))
    return 0


async def _take(program: str, shots: Sequence[Shot], into: Path, *, is_for_readme: bool) -> None:
    with fresh_folder(Path("data")) as folder:
        settings = load_settings({}, DATA_DIR=folder, ACCOUNT_CONCURRENCY_CAP=LINES, LOG_LEVEL="error")
        play = Play(speed=SPEED, lines=LINES)
        async with open_stage(settings, listen("127.0.0.1", 0), play) as stage, opened_browser(program) as browser:
            print("A month is being called ...", flush=True)
            camera = Camera(browser, stage.base_url, await Teller(stage).tell())
            if is_for_readme:
                await _take_for_readme(camera, stage)
            else:
                await _take_all(camera, stage, shots, into)


async def _take_all(camera: Camera, stage: Stage, shots: Sequence[Shot], into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for width in SIZES:
        async with camera.look(Look(scheme="light", width=width), await _link(stage)) as context:
            for shot in sorted(shots, key=lambda shot: not shot.is_signed_in):
                await camera.take(context, shot, into, width)
                print(f"{shot.name} at {width}", flush=True)


async def _take_for_readme(camera: Camera, stage: Stage) -> None:
    by_name = {shot.name: shot for shot in SHOTS}
    for name, scheme, width in README:
        async with camera.look(Look(scheme=scheme, width=width), await _link(stage), sharpness=1.5) as context:
            file = IMAGES / f"{name}-{scheme}.webp"
            await camera.take_small(context, by_name[name], file)
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size:,} bytes", flush=True)


async def _link(stage: Stage) -> str:
    person = await a_person(stage.runtime)
    return await sign_in_link(stage.runtime, person, base_url=stage.base_url)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="screenshots", description="Takes every page; nobody is called.")
    parser.add_argument("--into", type=Path, default=PICTURES, help="folder for the pictures")
    parser.add_argument("--only", nargs="+", choices=[shot.name for shot in SHOTS], help="these pages alone")
    parser.add_argument("--readme", action="store_true", help="the pictures of the README instead, into docs/images")
    return parser


if __name__ == "__main__":
    sys.exit(main())
