"""The rulebook in the language of traders: given, when, then."""
