Feature: Errors
  What is refused is refused in the documented way, and nothing that is sent brings the server down.

  @ERR-01
  Scenario Outline: The refusal of <call> has the documented body
    Given <call>
    Then every refusal has the documented body, its code beginning with the status

    Examples:
      | call                       |
      | any submission of an order |
      | any query for an order     |
      | any deletion of an order   |
      | any reconciliation         |
      | any release                |

  @ERR-02
  Scenario Outline: No <input> makes a server error
    Given any order
    Then no <input> in it makes a server error

    Examples:
      | input         |
      | odd text      |
      | odd number    |
      | missing field |
      | odd structure |

  @ERR-02
  Scenario: No odd query or credentials make a server error
    Given the integrator's credentials
    Then no odd text in a query or in credentials makes a server error

  @ERR-02
  Scenario Outline: No missing or malformed parameter of <call> makes a server error
    Given <call>
    Then no missing or malformed parameter makes a server error

    Examples:
      | call                     |
      | any query for an order   |
      | any deletion of an order |

  @ERR-02
  Scenario: No missing field that nothing demands makes a server error
    Given any reconciliation of 2 orders
    Then without what nothing demands of it and of its releases it makes no server error

  @ERR-03
  Scenario: The message of a refusal names the field
    Given any order
    Then every refusal's message names the field that was wrong

  @ERR-04
  Scenario: A path that is not documented answers 404
    Given a listing of the accounts
    Then every path that is not documented answers 404

  @ERR-04
  Scenario Outline: A method that is not documented for <path> is refused
    Given a listing of the accounts
    Then every method that is not documented for <path> is refused with 4xx

    Examples:
      | path                    |
      | /order                  |
      | /my-accounts            |
      | /reconciliation         |
      | /reconciliation/release |

  @ERR-06
  Scenario Outline: An order with <what> is taken as it is, or refused
    Given any order
    Then with <what> it is taken as it is, or refused with 4xx

    Examples:
      | what                                  |
      | a long code                           |
      | a code of other characters            |
      | a total of its own                    |
      | a large amount                        |
      | many extracts                         |
      | a date long past                      |
      | a date far ahead                      |
      | a date that a clock skips or has twice |

  @ERR-05
  Scenario Outline: What <operation> answers has the documented shape
    Given the OpenAPI document
    Then whatever Schemathesis makes of <operation> in it is answered in a documented shape

    Examples:
      | operation            |
      | createToken          |
      | refreshToken         |
      | listAccounts         |
      | submitOrder          |
      | getOrder             |
      | deleteOrder          |
      | createReconciliation |
      | submitRelease        |
