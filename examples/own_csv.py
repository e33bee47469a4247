"""From a table of one's own to a network that answers in the table's units."""

from dataclasses import replace
from pathlib import Path

import numpy as np

import deltarule as dr
from deltarule.data.tables import read_table

rng = np.random.default_rng(0)
length, width = rng.uniform(2.0, 8.0, (2, 500))
rows = [f"{a:.3f},{b:.3f},{a * b:.3f}" for a, b in zip(length, width, strict=True)]
Path("fields.csv").write_text("length,width,area\n" + "\n".join(rows) + "\n")

fields = read_table("fields.csv", "area", task="values").hold_out(100)
network = dr.Network((2, 32, 1), output=dr.Identity(), loss=dr.Quadratic(), rng=0)

model = dr.Model(
    network,
    "values",
    fields.train.class_names,
    input_scaling=dr.Standardization.of(fields.train.inputs),
    target_scaling=dr.Standardization.of(fields.train.targets),
)
trainer = dr.Trainer(network=network, schedule=dr.Constant(0.01), epochs=100, batch_size=32)
trainer.fit(model.scaled(fields.train))

loss, r2 = dr.evaluate(network, model.scaled(fields.test))
print(f"R2 on 100 fields it has never seen: {r2:.4f}")
print(f"a field of 3 by 7: {model.predict(np.array([[3.0, 7.0]]))[0, 0]:.1f}")
dr.save(replace(model, record={"data": "fields.csv", "r2": r2}), "fields.safetensors")
