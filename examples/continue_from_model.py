"""Go on training a network that was saved."""

import deltarule as dr

digits = dr.load_data("digits")
X, y = digits.train.inputs.reshape(-1, 28, 28), digits.train.targets

network = dr.Network((784, 32, 10), rng=0)
dr.fit(network, X, y, epochs=3)
dr.save(network, "digits.safetensors")

again = dr.load("digits.safetensors").network
before, _ = dr.evaluate(again, digits.test)
dr.fit(again, X, y, epochs=3, learning_rate=0.0003, augment=dr.Deformation(rotation=10, shift=1))
after, _ = dr.evaluate(again, digits.test)
print(f"loss on digits it has never seen: {before:.3f}, after three more epochs {after:.3f}")
