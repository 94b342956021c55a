"""Lighthouse on the pages: `make lighthouse`. It needs node and npm, and fails below full marks."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, find_chromium, launch, sign_in
from tests.browser.screenshots import count_cards, demo

VERSION = "12"
PAGES = {
    "sign-in": "/admin/login",
    "index": "/admin/",
    "list": "/admin/user/list",
    "details": "/admin/post/details/3",
    "edit": "/admin/post/edit/3",
    "delete": "/admin/user/delete?pks=1",
}
CATEGORIES = ["performance", "accessibility", "best-practices"]
MEASURED = {
    "FCP ms": "first-contentful-paint",
    "LCP ms": "largest-contentful-paint",
    "TBT ms": "total-blocking-time",
    "CLS": "cumulative-layout-shift",
}
TRIES = 3  # Now and then Chromium loses the trace of a run.


def main() -> None:
    """Print the marks and times of each page."""
    npm = shutil.which("npm") or sys.exit("npm is missing: install Node.js.")
    print("| page |", *(f"{name} |" for name in [*CATEGORIES, *MEASURED]))  # noqa: T201
    marks: set[float] = set()
    with tempfile.TemporaryDirectory() as folder, demo() as url:
        subprocess.run(
            [npm, "install", "--silent", "--prefix", folder, f"lighthouse@{VERSION}"], check=True
        )
        chromium, cookie = prepare(url)
        for name, path in PAGES.items():
            headers = {} if name == "sign-in" else {"Cookie": cookie}
            report = examine(Path(folder), chromium, url + path, headers)
            scores = [report["categories"][category]["score"] for category in CATEGORIES]
            times = [report["audits"][audit]["numericValue"] for audit in MEASURED.values()]
            print(f"| {name} |", *(f"{value:.4g} |" for value in scores + times))  # noqa: T201
            marks.update(scores)
    sys.exit(None if marks == {1} else "Not every page has full marks.")


def prepare(url: str) -> tuple[str, str]:
    """Find the browser, sign in with it, and have the front page's cards counted."""
    with sync_playwright() as playwright, launch(playwright) as browser:
        with browser.new_context(base_url=url) as context:
            sign_in(context)
            count_cards(context.new_page())
            cookies = [f"{cookie['name']}={cookie['value']}" for cookie in context.cookies()]
        return str(find_chromium(playwright)), "; ".join(cookies)


def examine(folder: Path, chromium: str, url: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return the report on a page, as Lighthouse's preset for desktops sees it."""
    sent = folder / "headers.json"
    sent.write_text(json.dumps(headers), "utf-8")
    command = [
        str(folder / "node_modules/.bin/lighthouse"),
        url,
        "--quiet",
        "--preset=desktop",
        "--output=json",
        f"--only-categories={','.join(CATEGORIES)}",
        f"--extra-headers={sent}",
        f"--chrome-flags={' '.join(['--headless=new', '--no-sandbox', *ARGUMENTS])}",
    ]
    environment = {**os.environ, "CHROME_PATH": chromium}
    for _ in range(TRIES):
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        report: dict[str, Any] = json.loads(done.stdout)
        if "runtimeError" not in report:
            return report
    sys.exit(f"Lighthouse can't examine {url}: {report['runtimeError']['message']}")


if __name__ == "__main__":
    main()
