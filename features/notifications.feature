Feature: Notifications
  What Koncili tells the integrator's callback URL comes in the documented shape, at least once and always the same.

  @NTF-01
  Scenario: A completed reconciliation is notified
    Given any reconciliation of 1 to 2 orders
    Then that it is completed is notified, with situation CONCILIED

  @NTF-02
  Scenario: A failed reconciliation is notified
    Given any reconciliation of 1 order
    Then that it failed is notified, with situation ERROR

  @NTF-03
  Scenario Outline: <type> comes in its documented shape
    Given a mock that notifies what it is asked to
    Then <type> comes in its documented shape

    Examples:
      | type              |
      | TEST_NOTIFICATION |
      | ACCOUNT_CREATED   |
      | BLOCKED_TEMPORARY |
      | BLOCKED_PERMANENT |
