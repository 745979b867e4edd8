"""What the routes reach for: the resources opened with the application."""

from typing import Annotated, cast

from fastapi import Depends, Request

from plyr.runtime import Resources


def resources_of(request: Request) -> Resources:
    """Return the application's resources."""
    return cast("Resources", request.app.state.resources)


ResourcesOf = Annotated[Resources, Depends(resources_of)]
