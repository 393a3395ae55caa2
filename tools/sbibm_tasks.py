# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark tasks of Lueckmann et al. 2021 (AISTATS, "Benchmarking simulation-based inference"; appendix T): priors and simulators.

Each task has: prior, the text of a prior.yaml; draw(rng, n) -> theta [n, D]; simulate(rng, theta) -> x [n, C]; and the options that `sedna train` is given for it.
"""
import numpy as np


def uniform_prior(n_dim, half_width):
    return "parameters:\n" + "".join(f"  theta_{i + 1}: {{prior: uniform, low: {-half_width}, high: {half_width}}}\n" for i in range(n_dim))


def normal_prior(mean, factor):
    """A correlated normal, theta = mean + L e, as conditional normals: theta_i given the ones before, from the rows of the Cholesky factor L."""
    inverse = np.linalg.inv(factor)   # e = L^-1 (theta - mean)
    text = "parameters:\n"
    for i in range(len(mean)):
        # e_i = sum_j inverse_ij (theta_j - mean_j)  ->  theta_i = mean_i - sum_{j<i} inverse_ij (theta_j - mean_j) / inverse_ii + e_i / inverse_ii
        terms = "".join(f" + ({-inverse[i, j] / inverse[i, i]:.12g}) * (theta_{j + 1} - ({mean[j]:.12g}))" for j in range(i) if inverse[i, j] != 0)
        text += f"  theta_{i + 1}: {{prior: normal, mean: \"{mean[i]:.12g}{terms}\", sigma: {1 / inverse[i, i]:.12g}}}\n"
    return text


def log_normal_prior(location, scale):
    """ln theta is normal: the parameters of the network are the logarithms."""
    return "parameters:\n" + "".join(f"  ln_theta_{i + 1}: {{prior: normal, mean: {m!r}, sigma: {s!r}}}\n" for i, (m, s) in enumerate(zip(location, scale)))


class Task:
    to_file = staticmethod(lambda theta: theta)      # what the network calls theta
    from_file = staticmethod(lambda theta: theta)    # and back
    options = ()


class TwoMoons(Task):
    prior = uniform_prior(2, 1)

    def draw(self, rng, n):
        return rng.uniform(-1, 1, (n, 2))

    def simulate(self, rng, theta):
        n = len(theta)
        angle, radius = rng.uniform(-np.pi / 2, np.pi / 2, n), rng.normal(0.1, 0.01, n)
        crescent = np.stack([radius * np.cos(angle) + 0.25, radius * np.sin(angle)], 1)
        return crescent + np.stack([-np.abs(theta[:, 0] + theta[:, 1]), -theta[:, 0] + theta[:, 1]], 1) / np.sqrt(2)


class Slcp(Task):
    """Four points of a two-dimensional normal."""
    prior = uniform_prior(5, 3)

    def draw(self, rng, n):
        return rng.uniform(-3, 3, (n, 5))

    def simulate(self, rng, theta):
        s1, s2, rho = theta[:, 2] ** 2, theta[:, 3] ** 2, np.tanh(theta[:, 4])
        covariance = np.empty((len(theta), 2, 2))
        covariance[:, 0, 0], covariance[:, 1, 1] = s1**2 + 1e-6, s2**2 + 1e-6
        covariance[:, 0, 1] = covariance[:, 1, 0] = rho * s1 * s2
        points = theta[:, None, :2] + rng.standard_normal((len(theta), 4, 2)) @ np.linalg.cholesky(covariance).transpose(0, 2, 1)
        return points.reshape(len(theta), 8)


class GaussianLinear(Task):
    prior = normal_prior(np.zeros(10), np.sqrt(0.1) * np.eye(10))

    def draw(self, rng, n):
        return np.sqrt(0.1) * rng.standard_normal((n, 10))

    def simulate(self, rng, theta):
        return theta + np.sqrt(0.1) * rng.standard_normal(theta.shape)


class GaussianLinearUniform(GaussianLinear):
    prior = uniform_prior(10, 1)

    def draw(self, rng, n):
        return rng.uniform(-1, 1, (n, 10))


class GaussianMixture(Task):
    prior = uniform_prior(2, 10)

    def draw(self, rng, n):
        return rng.uniform(-10, 10, (n, 2))

    def simulate(self, rng, theta):
        sigma = np.where(rng.random(len(theta)) < 0.5, 1.0, 0.1)
        return theta + sigma[:, None] * rng.standard_normal(theta.shape)


class Sir(Task):
    """An epidemic among 10^6, one infected at first; every 17 days the infected among 1000 people."""
    location, scale = np.log([0.4, 0.125]), [0.5, 0.2]
    prior = log_normal_prior(np.log([0.4, 0.125]).tolist(), [0.5, 0.2])
    to_file, from_file = staticmethod(np.log), staticmethod(np.exp)
    n_people, days, per_day = 1e6, np.arange(0, 160, 17), 20

    def draw(self, rng, n):
        return np.exp(self.location + self.scale * rng.standard_normal((n, 2)))

    def infected(self, theta):
        """I(t) at self.days, by the classical Runge-Kutta method. [n, 10]"""
        def slope(state):
            new, healed = beta * state[0] * state[1] / self.n_people, gamma * state[1]
            return np.stack([-new, new - healed])
        beta, gamma = theta.T
        state = np.stack([np.full(len(theta), self.n_people - 1), np.ones(len(theta))])
        out, h = [state[1]], 1 / self.per_day
        for step in range(self.days[-1] * self.per_day):
            k1 = slope(state)
            k2 = slope(state + h / 2 * k1)
            k3 = slope(state + h / 2 * k2)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(state + h * k3))
            if (step + 1) % (17 * self.per_day) == 0:
                out.append(state[1])
        return np.stack(out, 1)

    def simulate(self, rng, theta):
        return rng.binomial(1000, np.clip(self.infected(theta) / self.n_people, 0, 1)).astype(float)


class LotkaVolterra(Task):
    """Predators and prey, counted ten times each with log-normal errors."""
    location, scale = np.array([-0.125, -3, -0.125, -3]), np.full(4, 0.5)
    prior = log_normal_prior([-0.125, -3.0, -0.125, -3.0], [0.5] * 4)
    to_file, from_file = staticmethod(np.log), staticmethod(np.exp)
    per_sample = 210   # Runge-Kutta steps of 0.01 between samples 2.1 apart

    def draw(self, rng, n):
        return np.exp(self.location + self.scale * rng.standard_normal((n, 4)))

    def populations(self, theta):
        """Ten samples of prey, then of predators. [n, 20]"""
        a, b, c, d = theta.T

        def slope(ln):   # of the logarithms, which stay finite
            return np.stack([a - b * np.exp(ln[1]), -c + d * np.exp(ln[0])])
        ln = np.stack([np.full(len(theta), np.log(30.0)), np.zeros(len(theta))])
        out, h = [ln], 2.1 / self.per_sample
        for step in range(9 * self.per_sample):
            k1 = slope(ln)
            k2 = slope(ln + h / 2 * k1)
            k3 = slope(ln + h / 2 * k2)
            ln = np.minimum(ln + h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(ln + h * k3)), 50)
            if (step + 1) % self.per_sample == 0:
                out.append(ln)
        return np.exp(np.stack(out, 2)).transpose(1, 0, 2).reshape(len(theta), 20)

    def simulate(self, rng, theta):
        mean = np.log(np.clip(self.populations(theta), 1e-10, 10000))
        return np.exp(mean + 0.1 * rng.standard_normal(mean.shape))


class BernoulliGlm(Task):
    """Spikes of a neuron in 100 bins, driven through a filter of nine taps by white noise (seed 42) and an offset; x: number of spikes, spike-triggered sums."""
    stimulus = np.random.RandomState(42).randn(100).astype(np.float32).astype(float)

    def __init__(self):
        n = 9
        step = np.eye(n) - np.eye(n, k=-1)
        smooth = step @ step + np.diag(np.sqrt(np.arange(n) / n))
        precision = np.zeros((10, 10))
        precision[0, 0] = 0.5
        precision[1:, 1:] = smooth.T @ smooth
        self.factor = np.linalg.cholesky(np.linalg.inv(precision))
        self.prior = normal_prior(np.zeros(10), self.factor)
        lagged = np.stack([np.concatenate([np.zeros(k), self.stimulus[: 100 - k]]) for k in range(n)], 1)
        self.design = np.concatenate([np.ones((100, 1)), lagged], 1)

    def draw(self, rng, n):
        return rng.standard_normal((n, 10)) @ self.factor.T

    def summaries(self, spikes):
        return spikes @ self.design

    def simulate(self, rng, theta):
        return self.summaries((rng.random((len(theta), 100)) < 1 / (1 + np.exp(-theta @ self.design.T))).astype(float))


TASKS = {"two_moons": TwoMoons, "slcp": Slcp, "gaussian_linear": GaussianLinear, "gaussian_linear_uniform": GaussianLinearUniform,
         "gaussian_mixture": GaussianMixture, "sir": Sir, "bernoulli_glm": BernoulliGlm, "lotka_volterra": LotkaVolterra}
