"""fixtures of the ingest tests."""

import pytest

from plyr.atproto.lexicon import load_lexicons
from plyr.config import Settings
from plyr.index.service import Rules
from tests.ingest.feeding import NAMESPACE


@pytest.fixture
def rules(settings: Settings) -> Rules:
    """the rules of the development namespace."""
    return Rules(NAMESPACE, load_lexicons(settings.lexicon_dir, NAMESPACE))
