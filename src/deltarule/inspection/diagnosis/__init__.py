"""Why a network does not learn, or would not: what its data, weights and runs show."""
