"""Why a network does not learn, or would not: evidence from its data, weights and runs."""
