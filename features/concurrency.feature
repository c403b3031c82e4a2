Feature: Calls at once
  Two workers, or a client and its own retry, are a few milliseconds apart: what comes of it is what some order of their calls
  explains, one after the other. A server may refuse all that come at once: then the next one is taken.

  @CON-02
  Scenario Outline: Two workers release an order at once, with <bodies>
    Given a reconciliation of two orders that is open
    When two of the integrator's workers release one of its orders at once, with <bodies>
    Then exactly one release is accepted, and counts once

    Examples:
      | bodies          |
      | the same body   |
      | different dates |

  @CON-03
  Scenario: Two workers release at once what fits once
    Given a reconciliation that has room for one of two orders
    When two of the integrator's workers release both orders at once
    Then exactly one release is accepted, and it completes

  @CON-03
  Scenario: Two workers release at once what fits
    Given a reconciliation of three orders that is open
    When two of the integrator's workers release two of its orders at once
    Then both are accepted, and with the third it completes

  @CON-04
  Scenario: Two workers send the same order at once
    Given an order that nobody has sent
    When two of the integrator's workers send it at once
    Then it is one order, and one deletion ends it

  @CON-04
  Scenario Outline: Two workers send different versions of <order> at once
    Given <order>
    When two of the integrator's workers send different versions of it at once
    Then what is stored is one of them, whole

    Examples:
      | order                         |
      | an order that nobody has sent |
      | an order that is there        |

  @CON-04
  Scenario: Two workers update and ask for an order at once
    Given an order that is there
    When two of the integrator's workers update and ask for it at once
    Then what is shown is one of the versions, whole

  @CON-05
  Scenario: Two workers use a refresh token at once
    Given a refresh token
    When two of the integrator's workers use it at once
    Then at most one gets a new pair

  @CON-05
  Scenario Outline: Two workers delete and <other> an order at once
    Given an order that is there
    When two of the integrator's workers delete and <other> it at once
    Then some order of the calls explains how it ends

    Examples:
      | other   |
      | update  |
      | release |

  @CON-01
  Scenario Outline: Two workers open a reconciliation at once, for <periods>
    Given two reconciliations of one account, for <periods>
    When two of the integrator's workers open them at once
    Then at most one is accepted, and where none is the next one

    Examples:
      | periods              |
      | the same period      |
      | periods that overlap |
      | periods apart        |

  @CON-05
  Scenario: Any calls at once
    Given a model of what each call may be answered
    When two or three of the integrator's workers make any calls at once, round by round
    Then some order of the calls explains all answers
