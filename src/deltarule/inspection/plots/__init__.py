"""The pictures, by theme: runs, answers, sheets of images, layers over time, networks, landscapes."""
