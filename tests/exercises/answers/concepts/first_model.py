"""Answers to the exercises on the first model that the checks must tell apart."""

import numpy as np
import torch

from mmcourse.training import correct, paired_interval
from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another

# ------------------------------------------------------------------------------------------------ training_step


def softmax(z, axis=1):
    powers = np.exp(z - z.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def excess(X, labels, W, b):
    """P - Y."""
    return softmax(X @ W + b) - np.eye(W.shape[1])[labels]


def stepped(X, W, b, rate, change):
    """W and b moved by another rule for what stands in place of (P - Y) / n."""
    return W - rate * X.T @ change, b - rate * change.sum(axis=0)


@wrong("training_step", hint="You go uphill")
def uphill(X, labels, W, b, rate):
    return stepped(X, W, b, -rate, excess(X, labels, W, b) / len(X))


@wrong("training_step", hint="divide by the number of examples.")
def sum_of_prices(X, labels, W, b, rate):
    return stepped(X, W, b, rate, excess(X, labels, W, b))


@wrong("training_step", hint="over the examples alone")
def mean_over_everything(X, labels, W, b, rate):
    change = excess(X, labels, W, b)
    return stepped(X, W, b, rate, change / change.size)


@wrong("training_step", hint="The softmax runs over the examples")
def softmax_over_examples(X, labels, W, b, rate):
    change = softmax(X @ W + b, axis=0) - np.eye(W.shape[1])[labels]
    return stepped(X, W, b, rate, change / len(X))


@wrong("training_step", hint="The softmax is missing")
def without_softmax(X, labels, W, b, rate):
    return stepped(X, W, b, rate, (X @ W + b - np.eye(W.shape[1])[labels]) / len(X))


@wrong("training_step", hint="Only the right class moves")
def right_class_only(X, labels, W, b, rate):
    truth = np.eye(W.shape[1])[labels]
    return stepped(X, W, b, rate, excess(X, labels, W, b) * truth / len(X))


@wrong("training_step", hint="The truth is missing")
def probabilities_alone(X, labels, W, b, rate):
    return stepped(X, W, b, rate, softmax(X @ W + b) / len(X))


@wrong("training_step", hint="This is another loss")
def squared_error(X, labels, W, b, rate):
    p, change = softmax(X @ W + b), excess(X, labels, W, b)
    return stepped(X, W, b, rate, p * (change - (p * change).sum(axis=1, keepdims=True)) / len(X))


@wrong("training_step", hint="The learning rate is missing")
def without_rate(X, labels, W, b, rate):
    return stepped(X, W, b, 1.0, excess(X, labels, W, b) / len(X))


@wrong("training_step", hint="You return the gradient")
def gradients_only(X, labels, W, b, rate):
    change = excess(X, labels, W, b) / len(X)
    return X.T @ change, change.sum(axis=0)


@wrong("training_step", hint="You return the step")
def the_step_only(X, labels, W, b, rate):
    change = rate * excess(X, labels, W, b) / len(X)
    return X.T @ change, change.sum(axis=0)


@wrong("training_step", hint="still needs them")
def in_place(X, labels, W, b, rate):
    change = rate * excess(X, labels, W, b) / len(X)
    W -= X.T @ change
    b -= change.sum(axis=0)
    return W, b


@wrong("training_step", hint="The bias stays as it was")
def bias_forgotten(X, labels, W, b, rate):
    return W - rate * X.T @ excess(X, labels, W, b) / len(X), b


@wrong("training_step", hint="for the bias.")
def bias_added_up(X, labels, W, b, rate):
    change = excess(X, labels, W, b)
    return W - rate * X.T @ change / len(X), b - rate * change.sum(axis=0)


@wrong("training_step", hint="One number for each class")
def one_bias_for_each_example(X, labels, W, b, rate):
    change = excess(X, labels, W, b)
    return W - rate * X.T @ change / len(X), b - rate * change


@wrong("training_step", hint="exp(1000) is infinite")
def overflowing(X, labels, W, b, rate):
    with np.errstate(all="ignore"):
        powers = np.exp(X @ W + b)
        change = powers / powers.sum(axis=1, keepdims=True) - np.eye(W.shape[1])[labels]
    return stepped(X, W, b, rate, change / len(X))


@wrong("training_step", hint="Exchange what you return")
def bias_first(X, labels, W, b, rate):
    return right_step(X, labels, W, b, rate)[::-1]


@another("training_step")
def right_step(X, labels, W, b, rate):
    return stepped(X, W, b, rate, excess(X, labels, W, b) / len(X))


@another("training_step")
def by_autograd(X, labels, W, b, rate):
    W, b = (torch.tensor(a, requires_grad=True) for a in (W, b))
    torch.nn.functional.cross_entropy(torch.tensor(X) @ W + b, torch.tensor(labels)).backward()
    return [(a - rate * a.grad).detach() for a in (W, b)]


# ---------------------------------------------------------------------------------------------------- does_it_pay


def both(name, train, test, train_and_predict):
    """Which test examples are right with all modalities, and without one."""
    others = [m for m in train.features if m != name]
    return (
        correct(train_and_predict(train, test), test.labels),
        correct(train_and_predict(train.only(*others), test.only(*others)), test.labels),
    )


def verdict(low, high):
    return "it pays" if low > 0 else "it costs" if high < 0 else "not decided"


def judged(a, b, gain=None, ends=None, said=None):
    """The right judgement of two models, but for what is given."""
    interval = paired_interval(a, b)
    low, high = (interval.low, interval.high) if ends is None else ends
    return {
        "gain": interval.difference if gain is None else gain,
        "low": low,
        "high": high,
        "verdict": verdict(low, high) if said is None else said,
    }


@wrong("does_it_pay", hint="The sign is turned")
def sign_turned(name, train, test, train_and_predict):
    return judged(*both(name, train, test, train_and_predict)[::-1])


@wrong("does_it_pay", hint="what the others add")
def against_this_one_alone(name, train, test, train_and_predict):
    fused = correct(train_and_predict(train, test), test.labels)
    return judged(fused, correct(train_and_predict(train.only(name), test.only(name)), test.labels))


@wrong("does_it_pay", hint="what the modality can do alone")
def alone_above_chance(name, train, test, train_and_predict):
    alone = correct(train_and_predict(train.only(name), test.only(name)), test.labels)
    return judged(alone, test.labels == np.bincount(test.labels).argmax())


@wrong("does_it_pay", hint="You count right answers")
def counted(name, train, test, train_and_predict):
    a, b = both(name, train, test, train_and_predict)
    return judged(a, b, gain=a.sum() - b.sum())


@wrong("does_it_pay", hint="A shuffle tells what one model relies on")
def by_shuffling(name, train, test, train_and_predict):
    fused = correct(train_and_predict(train, test), test.labels)
    return judged(fused, correct(train_and_predict(train, test.shuffled(name, seed=0)), test.labels))


@wrong("does_it_pay", hint="has seen the test examples")
def trained_on_the_test_part(name, train, test, train_and_predict):
    return judged(*both(name, test, test, train_and_predict))


@wrong("does_it_pay", hint="You ask about the training part")
def training_accuracy(name, train, test, train_and_predict):
    return judged(*both(name, train, train, train_and_predict))


@wrong("does_it_pay", hint="draw the differences")
def unpaired(name, train, test, train_and_predict):
    a, b = both(name, train, test, train_and_predict)
    rng, n = np.random.default_rng(0), len(a)
    draws = rng.integers(n, size=(2, 2000, n))
    return judged(a, b, ends=np.quantile(a[draws[0]].mean(axis=1) - b[draws[1]].mean(axis=1), [0.025, 0.975]))


@wrong("does_it_pay", hint="one standard error")
def one_standard_error(name, train, test, train_and_predict):
    a, b = both(name, train, test, train_and_predict)
    gains = a * 1.0 - b
    error = gains.std() / np.sqrt(len(gains))
    return judged(a, b, ends=(gains.mean() - error, gains.mean() + error))


@wrong("does_it_pay", hint="five per cent on each side")
def middle_ninety_per_cent(name, train, test, train_and_predict):
    a, b = both(name, train, test, train_and_predict)
    interval = paired_interval(a, b, level=0.9)
    return judged(a, b, ends=interval[1:])


@wrong("does_it_pay", hint="spread of single gains")
def spread_of_gains(name, train, test, train_and_predict):
    a, b = both(name, train, test, train_and_predict)
    gains = a * 1.0 - b
    return judged(a, b, ends=(gains.mean() - 1.96 * gains.std(), gains.mean() + 1.96 * gains.std()))


@wrong("does_it_pay", hint="low and high exchanged")
def ends_exchanged(name, train, test, train_and_predict):
    a, b = both(name, train, test, train_and_predict)
    _, low, high = paired_interval(a, b)
    return judged(a, b, ends=(high, low), said=verdict(low, high))


@wrong("does_it_pay", hint="More modalities do not always help")
def always_pays(name, train, test, train_and_predict):
    return judged(*both(name, train, test, train_and_predict), said="it pays")


@wrong("does_it_pay", hint="decides nothing")
def what_does_not_pay_costs(name, train, test, train_and_predict):
    a, b = both(name, train, test, train_and_predict)
    return judged(a, b, said="it pays" if paired_interval(a, b).low > 0 else "it costs")


@another("does_it_pay")
def by_the_package(name, train, test, train_and_predict):
    return judged(*both(name, train, test, train_and_predict))


@another("does_it_pay")
def all_draws_at_once(name, train, test, train_and_predict):
    """Drawn at once, the model without the modality first."""
    rest = tuple(m for m in train.features if m != name)
    without = train_and_predict(train.only(*rest), test.only(*rest)).argmax(axis=1) == test.labels
    gains = (train_and_predict(train, test).argmax(axis=1) == test.labels).astype(int) - without
    means = np.random.default_rng(7).choice(gains, size=(3000, len(gains))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {"verdict": verdict(low, high), "gain": gains.mean(), "low": low, "high": high}
