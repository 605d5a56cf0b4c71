"""What can go wrong while packaging or deploying, in one sentence for the person at the terminal."""

from __future__ import annotations


class PackagingError(Exception):
    """The bundle or the template is not fit to run; the message says why and names what is missing."""


class DeploymentError(Exception):
    """The stack could not be created; the message names the resources that failed."""
