Feature: Releases
  A release mirrors the extracts of its order exactly, in one request, dated within the period of its reconciliation.

  @REL-01
  Scenario: An exact and complete release is accepted
    Given any release
    Then every release is accepted with 2xx

  @REL-02
  Scenario: A release must name its reconciliation
    Given any release
    When its reconciliationId is missing or unknown
    Then every release is refused with 4xx

  @REL-03
  Scenario: A release must be dated within the period
    Given any release
    When its releasedDate is outside the period
    Then every release is refused with 4xx

  @REL-03
  Scenario: A release must be dated within the period of its own reconciliation, not of an earlier one
    Given any release
    Then in a later reconciliation one that is dated within the period of an earlier one is refused with 4xx

  @REL-03
  Scenario: The workflow that S2 prints, as printed: its release is dated outside its period
    Given the order, reconciliation and release printed in S2
    Then the release is refused with 4xx as printed, and accepted with its date mended

  @REL-04
  Scenario: A release must be in cash
    Given any release
    When its releaseType is not IN_CASH
    Then every release is refused with 4xx

  @REL-05
  Scenario: An entry must be of one of the five types
    Given any release
    When the type of one entry is not one that releases take
    Then every release is refused with 4xx

  @REL-06
  Scenario: An entry's value must have the sign of its type
    Given any release
    When the sign of one value contradicts its type
    Then every release is refused with 4xx

  @REL-07
  Scenario: The entries must have the extracts' types
    Given any release
    When one type is not that of the extract
    Then every release is refused with 4xx

  @REL-08
  Scenario: Values that differ from the extracts' are answered as the reading says
    Given any release
    When one value is not that of the extract
    Then every release is answered as the reading says

  @REL-09
  Scenario: The entries must be as many as the extracts
    Given any release
    When the entries are not as many as the extracts
    Then every release is refused with 4xx

  @REL-10
  Scenario: The marketplaceCode must be the same at every level
    Given any release
    When the marketplaceCode differs at one level
    Then every release is refused with 4xx

  @REL-11
  Scenario Outline: An order is released once: again in <where> it is refused
    Given any release
    Then after it another of the same order in <where> is refused with 4xx

    Examples:
      | where                    |
      | the same reconciliation  |
      | a later reconciliation   |

  @REL-12
  Scenario: Entries beyond the announced count are refused
    Given any release
    Then with more entries than releasesQtd leaves it is refused with 4xx, and with as many accepted

  @REL-13
  Scenario: A release must be for an order that exists
    Given any release
    When the order does not exist
    Then every release is refused with 4xx

  @REL-13
  Scenario: A release must be for an order that was not deleted
    Given any release
    Then for an order that was deleted it is refused with 4xx

  @REL-14
  Scenario Outline: A release is for its reconciliation's account and channel: refused when <fault>
    Given any release
    When <fault>
    Then every release is refused with 4xx

    Examples:
      | fault                                             |
      | its account is another than the reconciliation's  |
      | its channel is another than the reconciliation's  |

  @REL-15
  Scenario: Entries in the extracts' own sequence are accepted
    Given any release
    Then with its entries in the sequence of the extracts it is accepted

  @REL-16
  Scenario: An installment lies between 1 and their number
    Given any release
    When its installment is below 1 or above installmentQuantity
    Then every release is refused with 4xx

  @REL-17
  Scenario Outline: A malformed release is refused when <fault>
    Given any release
    When <fault>
    Then every release is refused with 400

    Examples:
      | fault                                    |
      | one of its fields is missing             |
      | one of its dates is malformed            |
      | one of its fields has another JSON type  |
      | one of its entries is malformed          |
      | its body is not a JSON object            |

  @REL-18
  Scenario: A refused release leaves no trace
    Given any release
    Then after refused ones the right one is accepted, and counts once

  @REL-19
  Scenario: The same entries in another sequence are accepted, or refused without a trace
    Given any release
    Then with its entries in another sequence it is accepted, or refused and accepted in its own

  @REL-20
  Scenario: A release dated at an end of the period is answered as the reading says
    Given any release
    Then dated at either end of the period it is answered as the reading says
