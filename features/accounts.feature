Feature: Accounts
  Whatever is asked of an order, its account must exist, be active, be enabled for API imports and be on the channel.

  @ACC-01
  Scenario: The integrator's accounts are listed
    Given a listing of the accounts
    Then it holds every account of the target

  @ACC-02
  Scenario Outline: <call> for an account that does not exist is refused
    Given <call>
    When its account does not exist
    Then every call is refused with 404 and code 404-1

    Examples:
      | call                       |
      | any submission of an order |
      | any query for an order     |
      | any deletion of an order   |
      | any reconciliation         |
      | any release                |

  @ACC-03
  Scenario Outline: <call> on a channel that does not exist is refused
    Given <call>
    When its channel does not exist
    Then every call is refused with 404 and code 404-2

    Examples:
      | call                       |
      | any submission of an order |
      | any query for an order     |
      | any deletion of an order   |
      | any reconciliation         |
      | any release                |

  @ACC-04
  Scenario Outline: <call> for an account that is not enabled for API imports is refused
    Given <call>
    When its account is not enabled for API imports
    Then every call is refused with 400 and code 400-2

    Examples:
      | call                       |
      | any submission of an order |
      | any query for an order     |
      | any deletion of an order   |
      | any reconciliation         |
      | any release                |

  @ACC-05
  Scenario Outline: <call> for an inactive account is refused
    Given <call>
    When its account is inactive
    Then every call is refused with 403 and code 403-1

    Examples:
      | call                       |
      | any submission of an order |
      | any query for an order     |
      | any deletion of an order   |
      | any reconciliation         |
      | any release                |

  @ACC-06
  Scenario Outline: <call> on a channel that is not the account's is refused
    Given <call>
    When its channel is not its account's
    Then every call is refused with 403 and code 403-2

    Examples:
      | call                       |
      | any submission of an order |
      | any query for an order     |
      | any deletion of an order   |
      | any reconciliation         |
      | any release                |
