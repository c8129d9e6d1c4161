"""Forms in which files hold a language model: inside another class, with other heads, in other dialects."""
