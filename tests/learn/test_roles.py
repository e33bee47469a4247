"""What names say: of functions, of arguments, and of parameters."""

import pytest

from deltarule.learn.roles import argument_of, parameter_kind, role_of


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("forward_prop", "forward"),
        ("fwdProp", "forward"),
        ("network_forward", "forward"),
        ("feedforward", "forward"),
        ("back_prop", "backward"),
        ("backward_propagation", "backward"),
        ("gradient_descent", "train"),
        ("init_params", "init"),
        ("update_params", "update"),
        ("one_hot", "one_hot"),
        ("ReLU_deriv", "derivative"),
        ("sigmoid_prime", "derivative"),
        ("sigmoid", "activation"),
        ("compute_cost", "loss"),
        ("mse_prime", "loss_derivative"),
        ("get_predictions", "predict"),
        ("banana", ""),
    ],
)
def test_the_role_of_a_function_follows_from_its_name(name: str, role: str) -> None:
    assert role_of(name) == role


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("alpha", "alpha"),
        ("X_train", "X"),
        ("Y", "Y"),
        ("num_iterations", "epochs"),
        ("layer_dims", "sizes"),
        ("q", ""),
    ],
)
def test_what_an_argument_holds_follows_from_its_name(name: str, kind: str) -> None:
    assert argument_of(name) == kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("self.W1", "weights"),
        ("params['b2']", "biases"),
        ("self.weights[0]", "weights"),
        ("grads['W1']", ""),
        ("dW1", ""),
        ("nabla_w", ""),
        ("batch", ""),
        ("layer.weight_momentums", ""),
        ("layer.bias_cache", ""),
    ],
)
def test_parameters_are_told_apart_from_their_gradients(path: str, kind: str) -> None:
    assert parameter_kind(path) == kind
