"""Values of CQL statements."""

from collections.abc import Sequence

from cassandra.query import BoundStatement, PreparedStatement

from domain.ports import Value


def bound(statement: PreparedStatement, values: Sequence[Value]) -> BoundStatement:
    """Give a statement its values.

    :raises OverflowError: an integer has more than 64 bits.
    """
    try:
        return statement.bind(values)
    except TypeError as error:
        raise OverflowError(str(error)) from error
