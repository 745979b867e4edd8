"""The index's one door: every change of a public record comes through `service.apply`."""
