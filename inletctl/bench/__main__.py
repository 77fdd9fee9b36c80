"""`python -m inletctl.bench RECIPE ...`: the bench in a process of its own, as firmwares.py runs it."""

import sys

import click

from inletctl.bench.command import bench
from inletctl.errors import UserError

if __name__ == "__main__":
    try:
        bench()
    except UserError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_status)
