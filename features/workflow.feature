Feature: The whole workflow
  Orders, their reconciliation and their releases: it ends reconciled when all is in, and not before.

  @WFL-01
  Scenario: An order is reconciled when its release is in
    Given any reconciliation of 1 order
    Then with its releases it ends reconciled

  @WFL-01
  Scenario: The workflow that S2 prints, its date mended
    Given the order, reconciliation and release printed in S2
    Then with the date mended it ends reconciled, and the order can't be deleted

  @WFL-02
  Scenario: Several orders are reconciled together
    Given any reconciliation of 2 to 4 orders
    Then with its releases it ends reconciled

  @WFL-03
  Scenario: It completes when the last release is in, and not before
    Given any reconciliation of 2 to 3 orders
    Then it stays active until the last release is in, and completes then

  @WFL-04
  Scenario: Any sequence of calls
    Given a model of what was accepted
    Then whatever is called in whatever sequence, the endpoint agrees with it
