import csv
import sys
import urllib.error
import urllib.request

import pytest

from tests.support.command import Console, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")]


def test_the_demo_calls_44_contacts_and_leaves_nothing_but_the_results(bare_console: Console) -> None:
    done = bare_console.run("demo", "--exit", "--speed", "100", "--port", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "44 of 50 rows accepted, 1 duplicate(s), 5 skipped." in done.stdout
    assert "Local businesses is completed: 44 of 44 contacts done." in done.stdout
    assert [path.name for path in bare_console.folder.iterdir()] == ["results.csv"]
    with (bare_console.folder / "results.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 44
    assert not bare_console.processes()


def test_the_demo_opens_on_the_dashboard_until_it_is_left(bare_console: Console) -> None:
    with bare_console.running("demo", "--speed", "100", "--port", "0") as demo:
        link = demo.wait_for("Dashboard: ").removeprefix("Dashboard: ")
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(link, timeout=20) as page:
            shown = page.read().decode()
            assert "<h1>Campaigns</h1>" in shown
            assert "Local businesses" in shown
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(link, timeout=20)  # noqa: S310 - our own address
        with refused.value:
            assert refused.value.code == 401
        demo.wait_for("The dashboard stays up.")
        demo.interrupt()
        assert demo.process.wait(20) == 0


def test_nothing_outlives_a_demo_that_is_killed(bare_console: Console) -> None:
    with bare_console.running("demo", "--speed", "5", "--port", "0") as demo:
        demo.wait_for("Dashboard: ")
        started = bare_console.processes()
        assert any("vapisim" in line for line in started)
        assert any("postgres" in line for line in started)
        demo.kill()
    wait_until(lambda: not bare_console.processes(), seconds=20)
