Feature: Reconciliations
  A reconciliation is opened for a period of one account and channel that no earlier one has touched, and one at a time.

  @REC-01
  Scenario: A proper reconciliation is accepted
    Given any reconciliation
    Then every creation is accepted with 201 and an integer id

  @REC-02
  Scenario: Every reconciliation has an id of its own
    Given any reconciliation
    Then no two have the same id

  @REC-03
  Scenario: A period must begin before it ends
    Given any reconciliation
    When its period begins no earlier than it ends
    Then every creation is refused with 400

  @REC-04
  Scenario: A period can't lie wholly over an earlier one
    Given any reconciliation
    When its period lies wholly over an earlier one
    Then every creation is refused with 4xx

  @REC-05
  Scenario: A period can't lie partly over an earlier one
    Given any reconciliation
    When its period lies partly over an earlier one
    Then every creation is refused with 4xx

  @REC-06
  Scenario: Only one reconciliation is active at a time
    Given any reconciliation
    Then while it is active a second one is refused with 4xx, and accepted after

  @REC-07
  Scenario: The count of releases must be a positive integer
    Given any reconciliation
    When its releasesQtd is not a positive integer
    Then every creation is refused with 400

  @REC-08
  Scenario Outline: A malformed reconciliation is refused when <fault>
    Given any reconciliation
    When <fault>
    Then every creation is refused with 400

    Examples:
      | fault                                    |
      | one of its fields is missing             |
      | one of its dates is malformed            |
      | one of its fields has another JSON type  |
      | its body is not a JSON object            |

  @REC-09
  Scenario: A period that was refused can be used after
    Given any reconciliation
    Then a creation that is refused leaves its period free

  @REC-10
  Scenario: Another account's reconciliation is no obstacle
    Given any reconciliation
    Then while it is active another account can have one of the same period

  @REC-11
  Scenario: A period that touches an earlier one is answered as the reading says
    Given any reconciliation
    Then one that begins or ends where it ends or begins is answered as the reading says

  @REC-12
  Scenario: Any total that the reading allows is accepted
    Given any reconciliation
    Then whatever totalNetValue the reading allows, it is accepted and completes
