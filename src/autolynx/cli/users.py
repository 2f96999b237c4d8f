"""`autolynx users`."""

import typer

from autolynx.cli.signing_in import sign_in_link
from autolynx.cli.working import with_runtime
from autolynx.domain.permission import Role
from autolynx.errors import NotFound
from autolynx.flows.people import add_person, change_person, find_person, list_people, remove_person
from autolynx.flows.sign_in import set_password
from autolynx.runtime import Runtime
from autolynx.store.people import Person

app = typer.Typer(help="Say who may come in, and as what.", no_args_is_help=True, add_completion=False)
Email = typer.Argument(help="The person's email.")


@app.command()
def add(
    email: str = Email,
    role: Role = typer.Option(Role.OPERATOR, help="admin: everything; operator: the own campaigns."),
    name: str = typer.Option("", help="What the person is called."),
) -> None:
    """Put somebody on the list, and print a link that signs them in once, within 15 minutes."""

    async def work(runtime: Runtime) -> str:
        person = await add_person(runtime, email, role=role, name=name)
        return await sign_in_link(runtime, person, base_url=runtime.settings.public_url)

    link = with_runtime(work)
    typer.echo(f"{email} may come in as {role.value}. This link signs them in, once:", err=True)
    print(link)


@app.command("list")
def list_users() -> None:
    """List who may come in."""
    for person in with_runtime(list_people):
        seen = f"last seen {person.last_seen_at:%Y-%m-%d %H:%M} UTC" if person.last_seen_at else "never seen"
        print(f"{person.email}  {person.role.value}  {seen}")


@app.command()
def role(email: str = Email, role: Role = typer.Argument(help="admin or operator.")) -> None:
    """Make somebody an admin or an operator, at once."""
    with_runtime(lambda runtime: _changed(runtime, email, role))
    print(f"{email} is {'an admin' if role is Role.ADMIN else 'an operator'} now.")


@app.command()
def remove(email: str = Email) -> None:
    """Take somebody off the list: their sessions and tokens end at once, their campaigns stay."""
    with_runtime(lambda runtime: _removed(runtime, email))
    print(f"{email} may not come in any more.")


@app.command()
def password(
    email: str = Email,
    new: str = typer.Option(..., prompt=True, hide_input=True, confirmation_prompt=True, help="The new password."),
) -> None:
    """Set somebody's password; it is asked for. Their sessions end."""
    with_runtime(lambda runtime: _password(runtime, email, new))
    print(f"The password of {email} is set.")


async def _changed(runtime: Runtime, email: str, wanted: Role) -> Person:
    return await change_person(runtime, (await _known(runtime, email)).id, role=wanted, actor="console")


async def _removed(runtime: Runtime, email: str) -> None:
    await remove_person(runtime, (await _known(runtime, email)).id)


async def _password(runtime: Runtime, email: str, new: str) -> None:
    await set_password(runtime, await _known(runtime, email), new)


async def _known(runtime: Runtime, email: str) -> Person:
    person = await find_person(runtime, email)
    if person is None:
        raise NotFound("This person is not on the list; `autolynx users list` shows who is.")
    return person
