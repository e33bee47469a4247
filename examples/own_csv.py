"""From a table of one's own, with numbers and text, to a network that answers in the table's units."""

import numpy as np
import pandas as pd

import deltarule as dr

rng = np.random.default_rng(0)
length, width = rng.uniform(2.0, 8.0, (2, 600))
crop = rng.choice(["oats", "rye", "wheat"], 600)
per_square = np.array([{"oats": 4.0, "rye": 5.0, "wheat": 7.0}[name] for name in crop])
fields = pd.DataFrame({"length": length, "width": width, "crop": crop, "bushels": length * width * per_square})
fields.to_csv("fields.csv", index=False)

table = dr.read_table("fields.csv", "bushels")  # or the DataFrame itself
parts = table.hold_out(100)
network = dr.Network((table.n_inputs, 64, 1), output=dr.Identity(), loss=dr.Quadratic(), rng=0)
model = dr.Model.suited(network, parts.train)  # which knows the columns, and how they are standardized

train, test = model.scaled(parts.train), model.scaled(parts.test)
dr.fit(network, train.inputs, train.targets, epochs=100, batch_size=32, learning_rate=0.01)

loss, r2 = dr.evaluate(network, test)
print(f"R2 on 100 fields it has never seen: {r2:.4f}")
field = pd.DataFrame({"crop": ["rye"], "length": [3.0], "width": [7.0]})
print(f"rye on a field of 3 by 7: {model.predict(field)[0, 0]:.0f} bushels")
dr.save(model, "fields.safetensors")
