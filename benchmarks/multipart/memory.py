"""How much a process grows while 256 MiB go through the parser into a file: it prints KiB.

Run on its own, since what counts is the peak of the process.
"""

import resource

from bodies import BOUNDARY, CONTENT_TYPE, MIB

from roll_multipart import Multipart, saving  # noqa: F401 - loaded before it is measured

HEAD = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
SIZE = 256 * MIB
CHUNK = bytes(64 * 2**10)


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    multipart = Multipart()
    _, files = multipart.initialize(CONTENT_TYPE)
    multipart.feed_data(HEAD.encode())
    before = peak()
    for _ in range(SIZE // len(CHUNK)):
        multipart.feed_data(CHUNK)
    grown = peak() - before
    multipart.feed_data(f"\r\n--{BOUNDARY}--\r\n".encode())
    multipart.close()
    with files:
        assert files.get("f").seek(0, 2) == SIZE
    print(grown)


if __name__ == "__main__":
    main()
