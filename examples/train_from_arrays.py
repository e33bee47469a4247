"""Train a network on arrays, look at it, keep it."""

import deltarule as dr

digits = dr.load_data("digits")
X, y = digits.train.inputs, digits.train.targets  # (n_samples, 784) uint8 pixels, (n_samples,) int64

network = dr.Network((784, 64, 10), hidden=dr.ReLU(), rng=0)
print(network)

history = dr.fit(network, X, y, epochs=10, callbacks=[dr.Progress()])
print(f"the loss fell from {history['train_loss'][0]:.3f} to {history['train_loss'][-1]:.3f}")

right = network.predict(digits.test.inputs) == digits.test.targets
print(f"{right.mean():.1%} of {len(right)} digits it has never seen")

dr.save(network, "digits.safetensors")
