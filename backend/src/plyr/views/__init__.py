"""Lists and pages as the api shows them: skeleton, hydrate, rules, present."""
