"""Lexicons: the shapes of records, read from the JSON files in `lexicons/` and nowhere repeated by hand."""

from plyr.atproto.lexicon.files import LexiconsMissing, load_lexicons
from plyr.atproto.lexicon.validate import Lexicons, RecordInvalid

__all__ = ["Lexicons", "LexiconsMissing", "RecordInvalid", "load_lexicons"]
