"""`autolynx token`."""

import typer

from autolynx.cli.working import with_runtime
from autolynx.domain.permission import Scope
from autolynx.errors import NotFound, ValidationProblem
from autolynx.flows import access
from autolynx.runtime import Runtime
from autolynx.store.tokens import Token

app = typer.Typer(help="Create, list and revoke API tokens.", no_args_is_help=True, add_completion=False)


@app.command()
def create(
    name: str = typer.Argument(help="What the token is for, for example the program's name."),
    scope: list[Scope] = typer.Option([Scope.ALL], help="What it may do; may be given several times."),
) -> None:
    """Create an API token of the installation itself. It is printed once, on standard output, and never shown again."""
    made = with_runtime(lambda runtime: access.create_token(runtime, name, scopes=scope))
    typer.echo(f"Token {made.token.id} for {made.token.name}; keep it now, it is not shown again:", err=True)
    print(made.secret)


@app.command("list")
def list_tokens() -> None:
    """List the tokens that were not revoked, without their secrets."""
    for holder in with_runtime(access.list_tokens):
        token, owner = holder.token, holder.person.email if holder.person else "console"
        used = f"last used {token.last_used_at:%Y-%m-%d %H:%M} UTC" if token.last_used_at else "never used"
        scopes = ",".join(token.scopes)
        print(f"{token.id}  {token.name}  {owner}  {scopes}  made {token.created_at:%Y-%m-%d}, {used}")


@app.command()
def revoke(token: str = typer.Argument(help="The token's id or name.")) -> None:
    """Revoke a token, at once."""
    revoked = with_runtime(lambda runtime: _revoke(runtime, token))
    print(f"Token {revoked.id} ({revoked.name}) is revoked.")


async def _revoke(runtime: Runtime, wanted: str) -> Token:
    known = [holder.token for holder in await access.list_tokens(runtime)]
    matches = [one for one in known if wanted in {str(one.id), one.name}]
    if not matches:
        raise NotFound("There is no such token; `autolynx token list` shows those that are valid.")
    if len(matches) > 1:
        ids = ", ".join(str(one.id) for one in matches)
        raise ValidationProblem(f"Several tokens bear that name; say which by its id: {ids}.", field="token")
    await access.revoke(runtime, matches[0].id)
    return matches[0]
